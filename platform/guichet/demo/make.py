"""Makes the demo's data: `python -m guichet.demo.make SANDBOX_URL ISSUER`.

It runs in a process of its own, since what it loads would slow down every later start.
"""

import asyncio
import os
import sys

from guichet.demo.seed import seed
from guichet.settings import read_settings

if __name__ == "__main__":
    sandbox_url, issuer = sys.argv[1:]
    asyncio.run(seed(read_settings(os.environ), sandbox_url, issuer))
