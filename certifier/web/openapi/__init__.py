"""The description of the API (OpenAPI 3.1): one module for each area, put together in ``document``."""
