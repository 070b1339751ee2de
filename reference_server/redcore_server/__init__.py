"""The BlueRound platform as a reference server: gateway, auth service, API, worker and stores."""
