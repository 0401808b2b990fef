# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""`python -m wavegate` is the command `wavegate`."""

from wavegate.cli import main

if __name__ == "__main__":
    main()
