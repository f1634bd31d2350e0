// Makes the console's pages smoother; none of them needs it.
"use strict";
