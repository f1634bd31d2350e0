"""The mirror of what the provider holds, for pages to read.

Each write says which copy it writes: a number drawn from one sequence, before an object is fetched
or a call of our own is made. A copy never overwrites one with a higher number, so copies may be
written in any order, twice, or late.
"""

from guichet.billing.mirror.holding import held_copies
from guichet.billing.mirror.kinds import Kind, Reference, reference_to
from guichet.billing.mirror.singly import UNWRITABLE, write_singly
from guichet.billing.mirror.whole import draw_copy_no, write_copies, write_copy

__all__ = [
    "UNWRITABLE",
    "Kind",
    "Reference",
    "draw_copy_no",
    "held_copies",
    "reference_to",
    "write_copies",
    "write_copy",
    "write_singly",
]
