"""The health of services and stores, and the settings in effect."""
