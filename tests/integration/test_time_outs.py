"""PostgreSQL aborts statements that take too long, also behind PgBouncer."""

import pytest
from psycopg2 import extensions

from store.services.database import TIME_OUTS
from tests.support.shop import Shop


@pytest.mark.on_postgresql
def test_the_time_outs_are_set_without_a_start_up_parameter(shop: Shop) -> None:
    """PgBouncer refuses a connection that comes with `options`."""
    with shop.services.database.reading() as session:
        found = {name: session.connection().exec_driver_sql(f"SHOW {name}").scalar_one() for name in TIME_OUTS}
        driver = session.connection().connection.driver_connection

    assert found == {
        "lock_timeout": "8s",
        "statement_timeout": "15s",
        "idle_in_transaction_session_timeout": "30s",
    }
    assert isinstance(driver, extensions.connection)
    assert "options" not in driver.dsn
    asked_for = driver.get_dsn_parameters()
    assert (asked_for["keepalives_idle"], asked_for["tcp_user_timeout"]) == ("10", "25000")  # of a server that is gone
