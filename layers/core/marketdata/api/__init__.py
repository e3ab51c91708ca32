"""The REST API: routes, parameters, problems, caching and documentation.

Only the api function and the local service import this package, and only this package imports
FastAPI and Starlette. `readers` makes the content of the answers.
"""
