"""The service over HTTP: pages for people, an API for programs, the public files of trust and log."""
