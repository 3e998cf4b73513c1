"""`python -m autogenome_tf`."""

from autogenome_tf.cli import main

raise SystemExit(main())
