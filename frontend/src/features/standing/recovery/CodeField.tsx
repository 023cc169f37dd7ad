import { TextInput } from "@mantine/core";

interface Props {
  value: string;
  onChange: (value: string) => void;
}

export function CodeField({ value, onChange }: Props) {
  return (
    <TextInput
      label="Recovery code"
      description="Five groups of five letters and digits."
      autoComplete="off"
      spellCheck={false}
      maxLength={64}
      value={value}
      onChange={(event) => {
        onChange(event.currentTarget.value);
      }}
    />
  );
}
