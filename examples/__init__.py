"""Programs that show the label at work; none of them is part of the installed package.

Arithmetic runs on one thread. The matrices here are small, and threads that wait for one another cost a shared
machine seven times the time; one thread also adds in one order, so a seed gives the same music again.
"""

import os

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # read when numpy is first imported
