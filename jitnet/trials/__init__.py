"""Many runs: a plan of trials, each an ordinary run, driven over a `concurrent.futures.Executor`.

Whole runs are spread, never gradients: nothing but settings goes to a worker and nothing but figures comes back. What
a trial leaves is its run folder, on a disk that driver and workers share; its progress, and the request to stop, are
read there too. So any executor will do.
"""
