"""One real search that the tests of this folder look at."""

import numpy as np
import pytest
from lonely_search import TASK, USER, Searched, alone


@pytest.fixture(scope="session")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Searched:
    home = tmp_path_factory.mktemp("homes") / USER
    home.mkdir()
    draws = np.random.default_rng(0)
    rows = [f"{draws.normal() + 2 * (row % 2):.3f},{draws.normal():.3f},{'ny'[row % 2]}" for row in range(160)]
    (home / "rows.csv").write_text("\n".join(["a,b,label", *rows, ""]))
    (home / "task.yaml").write_text(TASK)
    asked = alone(home, "search", str(home / "task.yaml"), "--workers", "1", "--offline", "--out", str(home / "run"))
    return Searched(home, home / "run", asked)
