"""PyTorch modules as people write them: every form is read alike, and the first step that jitnet lacks is named."""

import numpy as np
import pytest

from jitnet import CNN, MLP
from jitnet.errors import InputError
from jitnet.model.architecture import Dense, parse
from jitnet.model.network import Network

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from jitnet.integrations.torch import from_torch, to_torch  # noqa: E402

IMAGES = np.random.default_rng(0).random((7, 6, 6)).astype(np.float32)


class Module(nn.Module):
    """A conv and a dense layer, and one function of them and of an image."""

    def __init__(self, step, inputs=72, **conv):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(1, 2, 3, **{"padding": 1} | conv)
        self.shift, self.out, self.step = nn.Parameter(torch.randn(2, 1, 1)), nn.Linear(inputs, 3), step

    def forward(self, x):
        return self.step(self, x)

    def last(self, x):
        return self.out(x.flatten(1))


FORMS = {
    "a method": Module(lambda self, x: self.last(self.conv(x).tanh())),
    "a function": Module(lambda self, x: self.last(functional.leaky_relu(self.conv(x), 0.01))),
    "in place": Module(lambda self, x: self.last(self.conv(x).relu_())),
    "rows by a view": Module(lambda self, x: self.out(self.conv(x).view(x.size(0), -1))),
    "rows by a shape": Module(lambda self, x: self.out(self.conv(x).reshape(x.shape[0], -1))),
    "a bias that is added": Module(lambda self, x: self.last(self.conv(x) + self.shift)),
    "the bias first": Module(lambda self, x: self.last((self.shift + self.conv(x)).sigmoid()), bias=False),
    "padding by its name": Module(lambda self, x: self.last(self.conv(x)), padding="same"),
    "a number for each axis": Module(lambda self, x: self.last(self.conv(x)), stride=(1, 1), dilation=(1, 1)),
    "dropout": Module(lambda self, x: self.last(functional.dropout2d(self.conv(x), 0.5, self.training))),
    "a softmax": Module(lambda self, x: self.last(self.conv(x)).log_softmax(1)),
    "float64": Module(lambda self, x: self.last(functional.gelu(self.conv(x)))).double(),
    "an average pool": Module(
        lambda self, x: self.last(functional.avg_pool2d(self.conv(x), 3, 2, ceil_mode=True).detach()), inputs=18
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_module_is_read_alike(form):
    module = FORMS[form].eval()
    estimator = from_torch(module, (6, 6, 1), ["a", "b", "c"])
    assert type(estimator) is CNN and estimator.network_.dtype == np.float32 and estimator.network_.bias == "channel"
    with torch.no_grad():
        outputs = module(torch.from_numpy(IMAGES)[:, None].to(module.out.weight.dtype)).softmax(1).numpy()
    np.testing.assert_allclose(estimator.predict_proba(IMAGES), outputs, atol=1e-5)
    assert estimator.predict(IMAGES).tolist() == np.array(["a", "b", "c"])[outputs.argmax(axis=1)].tolist()


REFUSED = {
    "flatten, has the start_dim 0: jitnet has 1": lambda self, x: self.out(self.conv(x).flatten(0)),
    "add, has the alpha 2: jitnet has 1": lambda self, x: self.last(self.conv(x).add(self.shift, alpha=2)),
    "add.*, adds what is not a parameter": lambda self, x: self.last(self.conv(x) + 1),
    "add.*, adds numbers elsewhere": lambda self, x: self.last(self.conv(x).relu() + self.shift),
    "'relu_1', relu, is not part of a chain": lambda self, x: self.last(self.conv(x).relu()) + x.relu(),
    "out, is not part of a chain": lambda self, x: self.out(self.conv(x).flatten(1).softmax(1)),
    "conv, comes after a dense layer": lambda self, x: self.conv(self.last(self.conv(x))),
    "gelu.*, comes after a pool": lambda self, x: functional.gelu(
        functional.max_pool2d(self.conv(x), 3, 2, ceil_mode=True)
    ),
    "has the divisor_override 4": lambda self, x: functional.avg_pool2d(
        self.conv(x), 3, 2, ceil_mode=True, divisor_override=4
    ),
    "has the padding 1: jitnet has 0": lambda self, x: functional.max_pool2d(self.conv(x), 3, 2, 1, ceil_mode=True),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_the_step_that_jitnet_lacks_is_named(sentence):
    with pytest.raises(InputError, match=f"the module Module cannot be imported: .*{sentence}"):
        from_torch(Module(REFUSED[sentence]), (6, 6, 1), range(3))


@pytest.mark.parametrize(
    ("conv", "sentence"),
    [
        ({"dilation": 2}, "has the dilation 2: jitnet has 1"),
        ({"padding_mode": "reflect"}, "has the padding_mode reflect: jitnet has zeros"),
        ({"stride": (1, 2)}, r"has the stride \(1, 2\): jitnet has 1"),
    ],
)
def test_a_convolution_of_another_kind_is_refused(conv, sentence):
    with pytest.raises(InputError, match=sentence):
        from_torch(Module(lambda self, x: self.last(self.conv(x)), **conv), (6, 6, 1), range(3))
    with pytest.raises(InputError, match="has the groups 2: jitnet has 1"):
        from_torch(nn.Sequential(nn.Conv2d(2, 4, 3, padding=1, groups=2)), (6, 6, 2), range(3))


def test_a_second_input_and_an_activation_of_the_outputs_are_refused():
    class Masked(nn.Module):
        def forward(self, x, mask):
            return x

    with pytest.raises(InputError, match="'mask', mask, is not part of a chain"):
        from_torch(Masked())
    for last in (nn.ReLU(), nn.Sigmoid(), nn.GELU()):
        with pytest.raises(InputError, match=f"has the activation {type(last).__name__.lower()} at its outputs"):
            from_torch(nn.Sequential(nn.Flatten(), nn.Linear(36, 3), last), (6, 6, 1), range(3))


@pytest.mark.parametrize(("hidden", "bias"), [("conv4 pool dense5:tanh", "channel"), ("conv1", "position")])
def test_a_module_is_a_copy_in_evaluation_mode_whose_parameters_have_jitnets_names(hidden, bias):
    network = Network((*parse(hidden), Dense(3)), (6, 6, 1), bias)
    network.initialise("he", 1)
    module = to_torch(network)
    assert not any(part.training for part in module.modules())
    assert list(module.state_dict()) == list(network.tensors())
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    network.params += 1
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())


def test_a_module_of_dense_layers_becomes_a_multi_layer_perceptron():
    module = nn.Sequential(nn.Flatten(), nn.Linear(36, 4), nn.Sigmoid(), nn.Linear(4, 3))
    estimator = from_torch(module, (6, 6, 1), range(3))
    assert type(estimator) is MLP
    with torch.no_grad():
        outputs = module(torch.from_numpy(IMAGES)).softmax(1).numpy()
    np.testing.assert_allclose(estimator.predict_proba(IMAGES), outputs, atol=1e-5)
