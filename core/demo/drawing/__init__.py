"""Draw the products of the built-in dataset like photos of a shop.

The same look gives the same picture, byte for byte: other attributes are derived from its seed.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from PIL import Image

from core.demo.drawing import (
    accessories,
    bags,
    boots,
    bottoms,
    cloth,
    dresses,
    eyewear,
    intimates,
    jewellery,
    knitwear,
    outerwear,
    scene,
    shoes,
    tops,
)
from core.demo.drawing.cloth import Cloth
from core.demo.drawing.pen import Pen
from core.demo.looks import Look

Drawer = Callable[[Pen, Look, Cloth, Random], None]

DRAWERS: dict[str, Drawer] = {
    "womens-dresses": dresses.womens_dresses,
    "womens-evening-dresses": dresses.womens_evening_dresses,
    "womens-blouses-and-shirts": tops.womens_blouses_and_shirts,
    "womens-t-shirts": tops.womens_t_shirts,
    "womens-tank-tops": tops.womens_tank_tops,
    "womens-sweaters": knitwear.womens_sweaters,
    "womens-cardigans": knitwear.womens_cardigans,
    "womens-hoodies": knitwear.womens_hoodies,
    "womens-jackets": outerwear.womens_jackets,
    "womens-coats": outerwear.womens_coats,
    "womens-jeans": bottoms.womens_jeans,
    "womens-trousers": bottoms.womens_trousers,
    "womens-leggings": bottoms.womens_leggings,
    "womens-skirts": bottoms.womens_skirts,
    "womens-shorts": bottoms.womens_shorts,
    "womens-jumpsuits": dresses.womens_jumpsuits,
    "womens-tights": bottoms.womens_tights,
    "womens-bras": intimates.womens_bras,
    "womens-panties": intimates.womens_panties,
    "womens-pyjamas": intimates.womens_pyjamas,
    "womens-bathrobes": intimates.womens_bathrobes,
    "womens-swimsuits": intimates.womens_swimsuits,
    "womens-bikinis": intimates.womens_bikinis,
    "mens-t-shirts": tops.mens_t_shirts,
    "mens-polo-shirts": tops.mens_polo_shirts,
    "mens-shirts": tops.mens_shirts,
    "mens-sweaters": knitwear.mens_sweaters,
    "mens-hoodies": knitwear.mens_hoodies,
    "mens-jackets": outerwear.mens_jackets,
    "mens-suits": outerwear.mens_suits,
    "mens-jeans": bottoms.mens_jeans,
    "mens-trousers": bottoms.mens_trousers,
    "mens-shorts": bottoms.mens_shorts,
    "mens-boxers": intimates.mens_boxers,
    "mens-swim-shorts": intimates.mens_swim_shorts,
    "mens-socks": intimates.mens_socks,
    "mens-ties": accessories.mens_ties,
    "girls-dresses": dresses.girls_dresses,
    "boys-t-shirts": tops.boys_t_shirts,
    "childrens-jackets": outerwear.childrens_jackets,
    "childrens-trousers": bottoms.childrens_trousers,
    "baby-bodysuits": intimates.baby_bodysuits,
    "womens-sneakers": shoes.womens_sneakers,
    "womens-pumps": shoes.womens_pumps,
    "womens-ballerinas": shoes.womens_ballerinas,
    "womens-sandals": shoes.womens_sandals,
    "womens-ankle-boots": boots.womens_ankle_boots,
    "womens-boots": boots.womens_boots,
    "womens-wellingtons": boots.womens_wellingtons,
    "mens-sneakers": shoes.mens_sneakers,
    "mens-ankle-boots": boots.mens_ankle_boots,
    "mens-formal-shoes": shoes.mens_formal_shoes,
    "slippers": shoes.slippers,
    "flip-flops": shoes.flip_flops,
    "womens-handbags": bags.womens_handbags,
    "clutches": bags.clutches,
    "backpacks": bags.backpacks,
    "suitcases": bags.suitcases,
    "wallets": bags.wallets,
    "womens-belts": accessories.womens_belts,
    "mens-belts": accessories.mens_belts,
    "hats": accessories.hats,
    "caps": accessories.caps,
    "beanies": accessories.beanies,
    "scarves": accessories.scarves,
    "gloves": accessories.gloves,
    "umbrellas": accessories.umbrellas,
    "earrings": jewellery.earrings,
    "necklaces": jewellery.necklaces,
    "rings": jewellery.rings,
    "bracelets": jewellery.bracelets,
    "watches": jewellery.watches,
    "sunglasses": eyewear.sunglasses,
    "glasses": eyewear.glasses,
}
# drawn upright: may have a wall and a floor behind them
STANDING = frozenset({
    "womens-sneakers", "mens-sneakers", "womens-pumps", "womens-sandals", "womens-ankle-boots",
    "womens-boots", "womens-wellingtons", "mens-ankle-boots", "mens-formal-shoes", "womens-handbags",
    "suitcases", "backpacks",
})  # fmt: skip
# broad or tall drawings, shown slightly smaller
WIDE = frozenset({
    "mens-t-shirts", "mens-polo-shirts", "mens-shirts", "mens-sweaters", "mens-hoodies", "mens-jackets",
    "womens-sweaters", "womens-evening-dresses", "womens-tights", "womens-bathrobes", "childrens-jackets",
    "womens-jumpsuits", "womens-coats", "backpacks",
})  # fmt: skip


def draw(look: Look, size: tuple[int, int] = (228, 298)) -> Image.Image:
    """An RGB picture of the product.

    >>> draw(Look("mens-ties", "navy", "dots", "satin", seed=1)).size
    (228, 298)
    """
    rng = Random(f"{look.kind} {look.colour} {look.pattern} {look.material} {look.seed}")
    image = scene.background(size, rng, standing=look.kind in STANDING)
    pen = Pen(image, rng)
    woven = cloth.woven(look, rng)
    pen.place(
        turn=rng.gauss(0, 1.2),
        zoom=rng.uniform(0.92, 0.98) if look.kind in WIDE else rng.uniform(1.0, 1.09),
        shift=(rng.uniform(-3, 3), rng.uniform(-3, 3)),
        mirror=rng.random() < 0.4,
        wobble=rng.uniform(0.5, 1.4),
    )
    DRAWERS[look.kind](pen, look, woven, rng)
    scene.finish(image, rng)
    return image
