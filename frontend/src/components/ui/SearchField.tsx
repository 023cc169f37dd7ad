import { CloseButton, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useEffect, useEffectEvent, useState } from "react";

const PAUSE_MS = 250;

interface Props {
  label: string;
  placeholder: string;
  /** The current search; undefined if empty. */
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}

/** A search field that reports its value once typing pauses. */
export function SearchField({ label, placeholder, value: words, onChange }: Props) {
  const value = words ?? "";
  const [typed, setTyped] = useState(value);
  const [given, setGiven] = useState(value);
  if (given !== value) {
    // Changed from outside, for example by the back button.
    setGiven(value);
    if (typed.trim() !== value) setTyped(value);
  }
  const send = useEffectEvent((text: string) => {
    if (text !== value) onChange(text === "" ? undefined : text);
  });
  useEffect(() => {
    const timer = setTimeout(() => {
      send(typed.trim());
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [typed]);
  return (
    <TextInput
      type="search"
      aria-label={label}
      placeholder={placeholder}
      leftSection={<IconSearch size={17} aria-hidden />}
      rightSection={
        typed !== "" && (
          <CloseButton
            size="sm"
            aria-label="Clear search"
            onClick={() => {
              setTyped("");
            }}
          />
        )
      }
      value={typed}
      onChange={(event) => {
        setTyped(event.currentTarget.value);
      }}
    />
  );
}
