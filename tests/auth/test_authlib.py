"""What we use of Authlib stays clear of what it is about to give up, and of its own transport."""

import subprocess
import sys

_PROGRAM = """
import guichet.auth.oidc, sys
print(*sorted(name for name in sys.modules if name.startswith("authlib.")))
"""


def test_nothing_that_we_use_of_authlib_is_deprecated() -> None:
    # Authlib has its warnings shown whatever -W says: they would be on the standard error.
    command = [sys.executable, "-W", "error", "-c", _PROGRAM]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    loaded = ran.stdout.split()
    assert "authlib.oidc.core" in loaded
    assert not [
        name for name in loaded if name.startswith(("authlib.jose", "authlib.integrations"))
    ]
