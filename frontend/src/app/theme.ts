import { createTheme } from "@mantine/core";

// Colours are in theme.css, because the Content-Security-Policy forbids style elements. Components are named, not
// imported, so that none is loaded before a page needs it.
export const theme = createTheme({
  primaryColor: "teal",
  respectReducedMotion: true,
  components: {
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray", size: "lg" } },
    Alert: { defaultProps: { variant: "light", radius: "md" } },
    Button: { defaultProps: { radius: "md" } },
    Modal: { defaultProps: { lockScroll: false, centered: true, radius: "md" } },
    NativeSelect: { defaultProps: { radius: "md" } },
    PasswordInput: { defaultProps: { radius: "md" } },
    SegmentedControl: { defaultProps: { radius: "md", size: "xs" } },
    TextInput: { defaultProps: { radius: "md" } },
    Textarea: { defaultProps: { radius: "md" } },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 300 } },
  },
});
