"""A drawing that takes no time, in a module that other processes can import."""

import os

from PIL import Image, ImageDraw

from core.demo.looks import COLOURS, Look


def draw(look: Look, size: tuple[int, int] = (228, 298)) -> Image.Image:
    picture = Image.new("RGB", size, (240, 240, 240))
    left = size[0] // 8 + look.seed % 50
    box = (left, size[1] // 4, left + size[0] // 2, size[1] * 3 // 4)
    ImageDraw.Draw(picture).rectangle(box, fill=COLOURS[look.colour])
    return picture


def full_disk(look: Look, size: tuple[int, int] = (228, 298)) -> Image.Image:
    raise OSError(28, "No space left on device")


def killed(look: Look, size: tuple[int, int] = (228, 298)) -> Image.Image:
    os._exit(9)
