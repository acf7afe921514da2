"""The terminal app. `medpocket.tui.start` opens it; nothing else imports this room."""
