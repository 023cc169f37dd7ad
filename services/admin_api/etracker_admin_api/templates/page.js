
const stored = { get: () => localStorage.getItem("announce"), set: (key) => localStorage.setItem("announce", key) };
const find = (id) => document.getElementById(id);

function showKey() {
  const key = stored.get();
  if (!key) return;
  find("url").textContent = `${find("announce").dataset.origin}/${key}/announce`;
  find("url").hidden = find("copy").hidden = false;
  find("generate").textContent = "Get another one";
  find("generate").classList.add("quiet");
}

async function generate() {
  find("generate").disabled = true;
  find("problem").textContent = "";
  try {
    const response = await fetch("/api/generate");
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.message);
    stored.set(answer.announce_key);
    showKey();
  } catch (error) {
    find("problem").textContent = error.message;
  } finally {
    find("generate").disabled = false;
  }
}

async function copy() {
  const range = document.createRange();
  range.selectNodeContents(find("url"));
  getSelection().removeAllRanges();
  getSelection().addRange(range);
  try {
    await navigator.clipboard.writeText(find("url").textContent);
    find("copy").textContent = "Copied";
  } catch {
    find("copy").textContent = "Selected";
  }
  setTimeout(() => { find("copy").textContent = "Copy"; }, 1500);
}

if (find("announce")) {
  find("generate").addEventListener("click", generate);
  find("copy").addEventListener("click", copy);
  showKey();
}
if (stored.get()) {
  for (const link of document.querySelectorAll("a[data-hash]")) {
    link.href = `/api/torrentfile?announce_key=${encodeURIComponent(stored.get())}&info_hash=${link.dataset.hash}`;
    link.hidden = false;
  }
  if (find("hint")) find("hint").hidden = true;
}
