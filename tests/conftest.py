import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    return Path(os.environ.get("VITRINE_SHARED_DATA", "/work/shared/data"))
