"""The colours. Nothing is said by colour alone: with NO_COLOR, or for a colour-blind person, every word is there."""

from textual.theme import Theme

DARK = Theme(
    name="medpocket-dark",
    primary="#7fb3c4",
    secondary="#8d99a6",
    accent="#d3a65a",
    warning="#d3a65a",
    error="#e0976f",
    success="#8fb59a",
    foreground="#d5dae0",
    background="#15181b",
    surface="#1b1f23",
    panel="#24292e",
    dark=True,
    variables={"border": "#7fb3c4", "border-blurred": "#3a424a", "footer-key-foreground": "#7fb3c4"},
)
LIGHT = Theme(
    name="medpocket-light",
    primary="#1d6579",
    secondary="#5b6670",
    accent="#86580a",
    warning="#86580a",
    error="#9a4318",
    success="#2f6b45",
    foreground="#23282c",
    background="#fbfaf7",
    surface="#f3f2ed",
    panel="#e7e6df",
    dark=False,
    variables={"border": "#1d6579", "border-blurred": "#c3c2ba", "footer-key-foreground": "#1d6579"},
)
CONTRAST = Theme(
    name="medpocket-contrast",
    primary="#ffff66",
    secondary="#ffffff",
    accent="#66ffff",
    warning="#ffff66",
    error="#ffb366",
    success="#66ff99",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#000000",
    dark=True,
    text_alpha=1.0,
    variables={"border": "#ffff66", "border-blurred": "#ffffff", "footer-key-foreground": "#ffff66"},
)

# What config.toml calls them, and what Textual does; `ansi` takes the terminal's own colours.
THEMES = {"dark": DARK.name, "light": LIGHT.name, "contrast": CONTRAST.name, "ansi": "ansi-dark"}
OWN = (DARK, LIGHT, CONTRAST)
