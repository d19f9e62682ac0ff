"""`python -m web`: uvicorn with the arguments given, as one web process or as several (WEB_CONCURRENCY).

What the environment has wrong is said here, once: of several that can't start, uvicorn starts others for ever.
"""

import gc
import os
from contextlib import ExitStack
from tempfile import TemporaryDirectory

import uvicorn

from settings import read_settings


def main() -> None:
    settings = read_settings()
    os.environ["WEB_CONCURRENCY"] = str(settings.web_concurrency)  # which may have been there, and empty
    with ExitStack() as until_the_end:
        if settings.web_concurrency > 1 and settings.metrics_token:
            # It decides how figures are kept as soon as prometheus-client is imported (measuring.py).
            folder = until_the_end.enter_context(TemporaryDirectory(prefix="expertim-figures-"))
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        # Until it serves (app.py): nothing imported is garbage, and to look for some takes a quarter of a start.
        gc.disable()
        uvicorn.main()


if __name__ == "__main__":
    main()
