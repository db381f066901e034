"""What the fork server imports before it is asked for a worker: Keras, JAX and the engine.

None of the objects that imports make is garbage. Looking for some takes a seventh of the imports;
afterwards each worker would look through all of them again, and get copies of what is shared.
"""

import gc

gc.disable()
try:
    from bakeoff.utils import lean_scipy  # noqa: F401, I001
    from bakeoff.training import lean_keras  # noqa: F401  # before what imports Keras
    from bakeoff.training import trainer  # noqa: F401
    from bakeoff.study.jobs import job  # noqa: F401
finally:
    gc.freeze()
    gc.enable()
