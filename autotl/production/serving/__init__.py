"""A bundle behind HTTP, for this machine unless told otherwise: what may be asked, how it is answered, what is counted.

Needs the extra `[serve]` (FastAPI, uvicorn, prometheus-client); only `api.serving` imports from here.
"""
