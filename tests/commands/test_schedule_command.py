"""`jitnet schedule`: a line for each epoch, with the rate that training has, as long as its share of the peak."""

import pytest
from commands import refusal

from jitnet.cli import main
from jitnet.config import CHOICES, Settings
from jitnet.training.schedule import learning_rate


@pytest.mark.parametrize("schedule", CHOICES["schedule"])
@pytest.mark.parametrize(("epochs", "lr"), [(1, 0.1), (12, 0.004)])
def test_a_line_has_the_rate_of_its_epoch_and_a_bar_as_long(capsys, schedule, epochs, lr):
    words = ("--schedule", schedule, "--epochs", str(epochs), "--lr", str(lr), "--recipe", "documents")
    assert main(["schedule", "mlp", *words]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head == f"schedule {schedule}, peak {lr:g}, {epochs} epoch{'' if epochs == 1 else 's'}"
    settings = Settings.preset("mlp", schedule=schedule, epochs=epochs, lr=lr, recipe="documents")
    assert len(lines) == epochs
    for epoch, line in enumerate(lines):
        rate = learning_rate(settings, epoch)
        assert line.startswith(f"epoch {epoch + 1:2} lr = {rate:.6f} ")
        assert len(line.split()[-1]) == max(1, round(50 * rate / lr))


@pytest.mark.parametrize("recipe", CHOICES["recipe"])
def test_epochs_that_the_recipe_leaves_to_the_data_are_asked_for(capsys, recipe):
    if epochs := Settings.preset("mlp", recipe=recipe).epochs:
        assert main(["schedule", "mlp", "--recipe", recipe]) == 0
        assert f", {epochs} epochs\n" in capsys.readouterr().out
    else:
        assert "by the number of images: give --epochs N" in refusal(capsys, "schedule", "mlp", "--recipe", recipe)
