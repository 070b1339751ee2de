"""The platform in process: `redcore.testing.FakeBlueRound`."""
