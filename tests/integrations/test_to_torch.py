"""Networks as PyTorch modules and back, where PyTorch is installed."""

import nets
import numpy as np
import pytest

from jitnet import CNN, MLP
from jitnet.errors import InputError
from jitnet.model.architecture import Dense, parse
from jitnet.model.network import Network

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from jitnet.integrations.torch import from_torch, to_torch  # noqa: E402

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("hidden", "image", "bias"), nets.EXPORTED)
def test_a_network_and_its_module_compute_the_same_there_and_back(hidden, image, bias):
    network = Network((*parse(hidden), Dense(3)), image, bias)
    network.params[:] = RNG.normal(size=network.params.size) / 3
    images = RNG.integers(0, 256, (5, *image), dtype=np.uint8)
    module = to_torch(network)
    first = torch.from_numpy(images).permute(0, 3, 1, 2)
    with torch.no_grad():
        for given in (first, first.float() / 255):
            np.testing.assert_allclose(module(given).numpy(), network.logits(images), atol=2e-5)
    back = from_torch(module, image, range(3))
    assert back.network_.bias == (bias if "conv" in hidden else "channel")
    assert back.network_.params.tobytes() == network.params.tobytes()


class Written(nn.Module):
    """As people write them: functions, a bias per position, a view, dropout, log_softmax."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1, bias=False)
        self.shift = nn.Parameter(torch.randn(4, 6, 6))
        self.inner = nn.Sequential(nn.Linear(36, 5), nn.LeakyReLU())
        self.out = nn.Linear(5, 3)

    def forward(self, x):
        x = self.conv(x) + self.shift
        x = nn.functional.max_pool2d(x, 3, 2, ceil_mode=True).relu()
        x = nn.functional.dropout(x.view(x.size(0), -1), 0.5, self.training)
        return nn.functional.log_softmax(self.out(self.inner(x)), dim=1)


def test_a_module_written_by_hand_is_read():
    torch.manual_seed(0)
    module = Written().eval()
    estimator = from_torch(module, (6, 6, 1), ["a", "b", "c"])
    assert isinstance(estimator, CNN) and estimator.architecture == "conv4 pool dense5:leaky-relu"
    images = RNG.random((9, 6, 6)).astype(np.float32)
    with torch.no_grad():
        expected = module(torch.from_numpy(images)[:, None]).exp().numpy()
    np.testing.assert_allclose(estimator.predict_proba(images), expected, atol=1e-5)
    assert set(estimator.predict(images)) <= {"a", "b", "c"}


def test_an_estimator_is_trained_further_in_either_program():
    labels = RNG.integers(0, 3, 60)
    images = (RNG.random((60, 6, 6)) * 50 + 100 * labels[:, None, None]).astype(np.uint8)
    recipe = {"epochs": 9, "lr": 0.05, "init": "he", "schedule": "constant", "shuffle": True}
    model = MLP((5,), **recipe).fit(images, labels)
    module = to_torch(model)
    with torch.no_grad():
        found = module(torch.from_numpy(images[:, None])).argmax(1).numpy()
    assert (model.classes_[found] == model.predict(images)).all()
    again = from_torch(module, (6, 6, 1), range(3)).set_params(**recipe)
    before = again.network_.params.copy()
    assert (again.partial_fit(images, labels).network_.params != before).any()


REFUSED = {
    "has the stride 2: jitnet has 1": [nn.Conv2d(1, 2, 3, padding=1, stride=2)],
    "has the padding 0: jitnet has 1": [nn.Conv2d(1, 2, 3)],
    "has filters of 5x5": [nn.Conv2d(1, 2, 5, padding=1)],
    "has the kernel_size 2: jitnet has 3": [nn.Conv2d(1, 2, 3, padding=1), nn.MaxPool2d(2)],
    "has the ceil_mode False": [nn.Conv2d(1, 2, 3, padding=1), nn.MaxPool2d(3, 2)],
    "is a layer that jitnet lacks": [nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2)],
    "has the negative_slope 0.2": [nn.Conv2d(1, 2, 3, padding=1), nn.LeakyReLU(0.2)],
    "has the approximate tanh": [nn.Conv2d(1, 2, 3, padding=1), nn.GELU("tanh")],
    "does not end in a dense layer": [nn.Conv2d(1, 2, 3, padding=1)],
    "has 4 outputs: expected 3": [nn.Flatten(), nn.Linear(36, 4)],
    "expected what becomes dense1.weight": [nn.Flatten(), nn.Linear(35, 3)],
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_jitnet_lacks_is_named(sentence):
    with pytest.raises(InputError, match=sentence):
        from_torch(nn.Sequential(*REFUSED[sentence]), (6, 6, 1), range(3))


def test_a_module_that_cannot_be_followed_is_refused():
    class Odd(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    with pytest.raises(InputError, match="cannot be followed"):
        from_torch(Odd())
