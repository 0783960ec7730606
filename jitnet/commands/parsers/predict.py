"""The options of `jitnet predict`."""

from pathlib import Path

from jitnet.commands.support import options
from jitnet.commands.support.options import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add `predict` to the command line."""
    parser = options.add_command(
        subparsers,
        "predict",
        "jitnet predict latest digit.png  one image, with a picture and bars",
        "jitnet predict latest - < digit.png  an image, or the rows of a table, from standard input",
        "jitnet predict latest --csv test.csv --out answers.csv  the rows of a table",
    )
    options.add_model(parser)
    options.add_weights(parser)
    parser.add_argument(
        "images",
        nargs="*",
        metavar="IMAGE",
        help="a file with one image or, as npy or IDX, several; a folder of files; - for standard input; or, of a "
        "regression, numbers such as 1,2,3",
    )
    parser.add_argument("--csv", metavar="FILE", type=Path, help="classify the rows of a table, or predict its numbers")
    parser.add_argument("--out", metavar="FILE", type=Path, help="with --csv: write a table of the answers")
    parser.add_argument(
        "--submission",
        action="store_true",
        help="with --out: write the ids of the table, or ImageId from 1, and Label alone, as Kaggle takes them",
    )
    parser.add_argument(
        "--label", metavar="COLUMN", help="with --csv: a column that is not an input, by name or number"
    )
    parser.add_argument("--show-steps", action="store_true", help="draw what is done to each picture")
    options.add_json(parser)
