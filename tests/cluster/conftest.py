"""Tests of several machines on one, which need more than `make test` installs: `make test-cluster` runs them."""

import os

collect_ignore_glob = [] if os.environ.get("TRACKER_TEST_CLUSTER") else ["*"]
