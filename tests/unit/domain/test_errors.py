"""What a failure says of itself in a log."""

from store.domain.errors import NotFound, OutOfStock, Subject


def test_a_failure_says_its_code_and_its_data() -> None:
    assert str(OutOfStock("Stoneware mug", 2)) == "out_of_stock product_name=Stoneware mug available=2"
    assert str(NotFound(Subject.PRODUCT)) == "not_found subject=product"
