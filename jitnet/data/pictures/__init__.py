"""From a photograph or a drawing to an image like those that a network was trained on."""
