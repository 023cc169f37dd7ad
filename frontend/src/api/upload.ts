import { authorization } from "./api-key";
import { ApiError, toApiError } from "./errors";
import type { UploadedTorrent } from "./operator";

/** Upload a torrent and report its progress, which `fetch` can't do. */
export function uploadTorrent(file: File, onProgress: (share: number) => void): Promise<UploadedTorrent> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/v1/torrents");
    request.setRequestHeader("Authorization", authorization());
    request.responseType = "text";
    request.upload.onprogress = ({ loaded, total }) => {
      onProgress(total > 0 ? loaded / total : 0);
    };
    request.onload = () => {
      const body = parsed(request.responseText);
      if (request.status >= 200 && request.status < 300) resolve(body as UploadedTorrent);
      else reject(toApiError(body, request.status, request.getResponseHeader("Retry-After")));
    };
    request.onerror = () => {
      reject(new ApiError(0, "No response."));
    };
    const form = new FormData();
    form.append("file", file);
    request.send(form);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
