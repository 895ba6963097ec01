"""Paints the playground's sample pictures: `python -m tests.pages.samples` makes them anew.

They are ours, so that they may be shipped; no photograph of anybody is among them.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from app.routes.page import FILES

WIDTH, HEIGHT = 480, 360
FOLDER = FILES / "samples"
Rng = np.random.Generator
Colour = tuple[int, int, int]


def ramp(*colours: Colour) -> Image.Image:
    """Colours from the top to the bottom."""
    at = np.linspace(0, len(colours) - 1, HEIGHT)
    rows = [
        np.interp(at, np.arange(len(colours)), list(part)) for part in zip(*colours, strict=True)
    ]
    column: NDArray[np.uint8] = np.stack(rows, axis=1).round().astype(np.uint8)  # H,3
    return Image.fromarray(np.repeat(column[:, None], WIDTH, axis=1))


def glow(image: Image.Image, x: float, y: float, radius: float, colour: Colour) -> Image.Image:
    """A soft light."""
    mask = Image.new("L", image.size)
    ImageDraw.Draw(mask).ellipse((x - radius, y - radius, x + radius, y + radius), fill=230)
    soft = mask.filter(ImageFilter.GaussianBlur(radius / 2))
    return Image.composite(Image.new("RGB", image.size, colour), image, soft)


def hills(image: Image.Image, rng: Rng, *, base: float, height: float, colour: Colour) -> None:
    """A rolling line of hills, filled down to the bottom."""
    x = np.arange(0, WIDTH + 1, 4)
    waves = np.zeros(len(x))
    for _ in range(4):
        waves += np.sin(x / rng.uniform(30, 110) + rng.uniform(0, 6)) * rng.uniform(0.3, 1)
    line = [(float(at), float(base - height * wave)) for at, wave in zip(x, waves, strict=True)]
    ImageDraw.Draw(image).polygon([*line, (WIDTH, HEIGHT), (0, HEIGHT)], fill=colour)


def clouds(image: Image.Image, rng: Rng, *, colour: Colour, amount: float) -> Image.Image:
    """Clouds of several sizes in the upper half."""
    total = np.zeros((HEIGHT, WIDTH))
    for cell in (80, 40, 20, 10):
        noise = rng.random((HEIGHT // cell + 2, WIDTH // cell + 2)).astype(np.float32)
        large = Image.fromarray(noise).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
        total += np.asarray(large) * cell
    total = (total - total.min()) / np.ptp(total)
    fade = np.clip(1.3 - 1.6 * np.arange(HEIGHT) / HEIGHT, 0, 1)[:, None]
    mask = Image.fromarray((255 * np.clip(total * fade * amount, 0, 1)).astype(np.uint8))
    return Image.composite(Image.new("RGB", image.size, colour), image, mask)


def harbour(rng: Rng) -> Image.Image:
    """A low sun over the water, two boats."""
    image = ramp((52, 44, 92), (190, 88, 98), (250, 176, 96), (120, 84, 110), (40, 42, 78))
    image = glow(image, 310, 175, 42, (255, 226, 150))
    hills(image, rng, base=192, height=7, colour=(58, 46, 82))
    water = ImageDraw.Draw(image)
    for _ in range(240):
        x, y = rng.normal(310, 75), rng.uniform(205, HEIGHT)
        water.line((x, y, x + rng.uniform(6, 34), y), fill=(236, 160, 108), width=1)
    for x, y, s in ((120, 235, 1.0), (205, 215, 0.6)):
        water.polygon(
            [(x - 38 * s, y), (x + 38 * s, y), (x + 24 * s, y + 15 * s), (x - 26 * s, y + 15 * s)],
            fill=(28, 24, 44),
        )
        water.polygon(
            [(x, y - 62 * s), (x, y - 5 * s), (x + 34 * s, y - 5 * s)], fill=(244, 224, 200)
        )
    return image


def meadow(rng: Rng) -> Image.Image:
    """Hills, a clear sky, and a great many flowers."""
    image = clouds(
        ramp((88, 160, 226), (176, 214, 244), (224, 238, 240), (200, 222, 180)),
        rng,
        colour=(255, 255, 255),
        amount=0.9,
    )
    for base, colour in ((190, (132, 178, 120)), (228, (104, 164, 84)), (268, (84, 148, 62))):
        hills(image, rng, base=base, height=9, colour=colour)
    brush = ImageDraw.Draw(image)
    petals: list[Colour] = [(240, 196, 56), (226, 84, 98), (250, 250, 246), (168, 104, 196)]
    for y in sorted(rng.uniform(275, HEIGHT, 240)):
        x, r = rng.uniform(0, WIDTH), 1.2 + (y - 270) / 26
        brush.line((x, y, x, y + 4 * r), fill=(56, 112, 44))
        brush.ellipse((x - r, y - r, x + r, y + r), fill=petals[int(rng.integers(4))])
    return image


def storm(rng: Rng) -> Image.Image:
    """Lightning below black clouds."""
    image = clouds(
        ramp((34, 38, 54), (62, 68, 88), (86, 88, 98), (30, 34, 40)),
        rng,
        colour=(10, 12, 20),
        amount=1.5,
    )
    x, y, bolt = 250.0, 70.0, [(250.0, 70.0)]
    while y < 265:
        x, y = x + rng.uniform(-24, 24), y + rng.uniform(10, 24)
        bolt.append((x, y))
    light = Image.new("RGB", image.size)
    ImageDraw.Draw(light).line(bolt, fill=(190, 200, 255), width=9)
    image = Image.fromarray(
        np.maximum(np.asarray(image), np.asarray(light.filter(ImageFilter.GaussianBlur(9))))
    )
    brush = ImageDraw.Draw(image)
    brush.line(bolt, fill=(250, 250, 255), width=3)
    hills(image, rng, base=278, height=8, colour=(14, 16, 20))
    for _ in range(260):
        a, b = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT)
        brush.line((a, b, a - 4, b + 13), fill=(96, 104, 122))
    return image


def balloons(rng: Rng) -> Image.Image:
    """Balloons in a bright sky."""
    image = clouds(
        ramp((64, 148, 222), (150, 204, 242), (232, 242, 248)),
        rng,
        colour=(255, 255, 255),
        amount=0.8,
    )
    brush = ImageDraw.Draw(image)
    colours: list[Colour] = [
        (226, 60, 70),
        (248, 190, 44),
        (70, 176, 96),
        (146, 86, 196),
        (244, 128, 46),
    ]
    for number in range(13):
        x, y, r = rng.uniform(40, 440), rng.uniform(50, 240), rng.uniform(20, 36)
        colour = colours[number % len(colours)]
        brush.line((x, y + r, x + (240 - x) * 0.25, 360), fill=(120, 120, 130))
        brush.ellipse((x - r, y - 1.15 * r, x + r, y + 1.15 * r), fill=colour)
        brush.polygon([(x - 5, y + 1.28 * r), (x + 5, y + 1.28 * r), (x, y + 1.1 * r)], fill=colour)
        brush.ellipse((x - 0.55 * r, y - 0.75 * r, x - 0.2 * r, y - 0.3 * r), fill=(255, 255, 255))
    return image


def alley(rng: Rng) -> Image.Image:
    """A narrow street at night, one lamp, somebody far away."""
    image = Image.new("RGB", (WIDTH, HEIGHT), (12, 14, 22))
    brush = ImageDraw.Draw(image)
    brush.polygon([(0, 0), (190, 96), (190, 236), (0, HEIGHT)], fill=(26, 27, 36))
    brush.polygon([(WIDTH, 0), (290, 96), (290, 236), (WIDTH, HEIGHT)], fill=(22, 23, 31))
    brush.polygon([(0, HEIGHT), (190, 236), (290, 236), (WIDTH, HEIGHT)], fill=(38, 38, 44))
    for _ in range(420):
        x, y = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT)
        brush.line((x, y, x + rng.uniform(2, 12), y), fill=(32, 33, 42))
    image = glow(image, 356, 98, 46, (214, 164, 84))
    brush = ImageDraw.Draw(image)
    brush.rectangle((352, 84, 362, 104), fill=(255, 236, 180))
    brush.ellipse((233, 172, 247, 186), fill=(3, 3, 6))
    brush.polygon([(228, 188), (252, 188), (256, 246), (224, 246)], fill=(3, 3, 6))
    return image.filter(ImageFilter.GaussianBlur(0.8))


def shapes(rng: Rng) -> Image.Image:
    """A ring of shapes on a warm ground, as the demo's data sets have them."""
    image = ramp((236, 192, 148), (214, 160, 116))
    brush = ImageDraw.Draw(image)
    for number in range(7):
        angle = 2 * np.pi * number / 7
        x, y = 240 + 110 * np.cos(angle), 180 + 110 * np.sin(angle)
        r = rng.uniform(28, 36)
        brush.ellipse((x - r, y - r, x + r, y + r), fill=(204, 52, 46))
    return image


PAINTERS: Mapping[str, Callable[[Rng], Image.Image]] = {
    painter.__name__: painter for painter in (harbour, meadow, storm, balloons, alley, shapes)
}


def write_samples(folder: Path) -> None:
    """All of them, as small JPEG files."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, (name, painter) in enumerate(PAINTERS.items()):
        image = painter(np.random.default_rng(number))
        grain = np.random.default_rng(9).normal(0, 2.5, (HEIGHT, WIDTH, 1))
        grained = np.clip(np.asarray(image, np.float32) + grain, 0, 255).astype(np.uint8)
        Image.fromarray(grained).save(folder / f"{name}.jpg", quality=62, optimize=True)


if __name__ == "__main__":
    write_samples(FOLDER)
