"""How answers travel over HTTP: problems, caching, parameters, documentation.

Only the api function imports this package; it alone may import FastAPI and Starlette. What the
answers hold is decided in `reading`.
"""
