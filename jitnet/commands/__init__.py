"""The commands, one module each, imported when used; their options are in parsers/, shared parts in support/."""

GROUPS = {  # title: {name: (module, help)}
    "train a network": {
        "train": ("train", "train a network and keep the run in its own folder"),
        "resume": ("resume", "continue a stopped or killed run, or extend a finished one"),
    },
    "use and measure it": {
        "predict": ("predict", "classify images (png, jpg, pgm, npy, IDX) or the rows of a table"),
        "eval": ("evaluate", "measure the loss and accuracy of a run on the test images"),
        "errors": ("errors", "draw the test images that a run gets wrong, the worst first"),
        "report": ("report", "write runs, or a sweep, as one HTML page that needs no network"),
        "runs": ("runs", "list, show, compare, plot, rename, tag or remove runs"),
    },
    "train several": {
        "repeat": ("repeat", "train with several seeds: mean, deviation, confidence interval"),
        "sweep": ("sweep", "train with every combination of some settings, or random ones"),
        "ensemble": ("ensemble", "average the probabilities of several runs"),
    },
    "understand it": {
        "play": ("play", "open a run in the browser: draw, watch, train, without a network"),
        "summary": ("summary", "list the operations of a network with their sizes and work"),
        "trace": ("trace", "follow one test image forward and backward through each layer"),
        "gradcheck": ("gradcheck", "compare the gradients of a network with central differences"),
        "schedule": ("schedule", "draw the learning rate of each epoch, without training"),
        "augment": ("augment", "draw training images next to what an augmentation makes of them"),
    },
    "exchange it": {
        "export": ("export", "write a run for other programs: its weights, or a C++ program"),
        "import": ("importing", "make a run from the weights of a PyTorch, Keras or jitnet model"),
    },
    "this machine": {
        "doctor": ("doctor", "check this machine and the installation, with advice"),
        "data": ("data", "show, fetch or clear the copies of MNIST on this machine"),
        "warmup": ("warmup", "compile the kernels now, so that the first training starts at once"),
        "completion": ("completion", "print a completion script for bash, zsh or fish"),
    },
}
COMMANDS = {name: command for commands in GROUPS.values() for name, command in commands.items()}
