"""The trading account: stocks, orders, a balance, a watch list and a history of transactions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any

from acgym.envs.tools.bfcl.services.base import Service
from acgym.types import Json

NOW = datetime(2024, 9, 1, 10, 30)
"""The services' clock stands still."""
_SYMBOLS = {
    "Apple": "AAPL",
    "Google": "GOOG",
    "Tesla": "TSLA",
    "Microsoft": "MSFT",
    "Nvidia": "NVDA",
    "Zeta Corp": "ZETA",
    "Alpha Tech": "ALPH",
    "Omega Industries": "OMEG",
    "Quasar Ltd.": "QUAS",
    "Neptune Systems": "NEPT",
    "Synex Solutions": "SYNX",
    "Amazon": "AMZN",
    "Gorilla": "GORI",
}
_SECTORS = {"Technology": ["AAPL", "GOOG", "MSFT", "NVDA"], "Automobile": ["TSLA", "F", "GM"]}
_LONGER_SECTORS = {"Technology": "TECHNOLOGY_EXTENSION", "Automobile": "AUTOMOBILE_EXTENSION"}
_COLUMNS = ("price", "percent_change", "volume", "MA(5)", "MA(20)")
_STOCKS = {
    "AAPL": (227.16, 0.17, 2.552, 227.11, 227.09),
    "GOOG": (2840.34, 0.24, 1.123, 2835.67, 2842.15),
    "TSLA": (667.92, -0.12, 1.654, 671.15, 668.20),
    "MSFT": (310.23, 0.09, 3.234, 309.88, 310.11),
    "NVDA": (220.34, 0.34, 1.234, 220.45, 220.67),
    "ALPH": (1320.45, -0.08, 1.567, 1321.12, 1325.78),
    "OMEG": (457.23, 0.12, 2.345, 456.78, 458.12),
    "QUAS": (725.89, -0.03, 1.789, 726.45, 728.00),
    "NEPT": (88.34, 0.19, 0.654, 88.21, 88.67),
    "SYNX": (345.67, 0.11, 2.112, 345.34, 346.12),
    "ZETA": (22.09, -0.05, 0.789, 22.12, 22.34),
}


def _order(number: int, kind: str, symbol: str, price: float, amount: int, status: str) -> dict[str, Json]:
    named = {"id": number, "order_type": kind, "symbol": symbol}
    return {**named, "price": price, "amount": amount, "status": status}


class Trading(Service):
    """The service ``TradingBot``."""

    DEFAULTS = {  # noqa: RUF012  (declared ClassVar by the base)
        "orders": {
            12345: _order(12345, "Buy", "AAPL", 210.65, 10, "Completed"),
            12446: _order(12446, "Sell", "GOOG", 2840.56, 5, "Pending"),
        },
        "account_info": {"account_id": 12345, "balance": 10000.0, "binding_card": 1974202140965533},
        "authenticated": False,
        "market_status": "Closed",
        "order_counter": 12446,
        "stocks": {symbol: dict(zip(_COLUMNS, row, strict=True)) for symbol, row in _STOCKS.items()},
        "watch_list": ["NVDA"],
        "transaction_history": [],
    }

    def __init__(self, config: Mapping[str, Json], extension: Mapping[str, Json] | None = None) -> None:
        super().__init__(config, extension)
        self._random = Random(config.get("random_seed", 1053520))
        self.state["orders"] = {_whole(number): order for number, order in self.state["orders"].items()}

    def get_current_time(self) -> Json:
        """Tell the time of day."""
        return {"current_time": NOW.strftime("%I:%M %p")}

    def get_symbol_by_name(self, name: str) -> Json:
        """Tell a company's symbol."""
        return {"symbol": _SYMBOLS.get(name, "Stock not found")}

    def get_stock_info(self, symbol: str) -> Json:
        """Show a stock."""
        if symbol not in self.state["stocks"]:
            return {"error": f"there is no stock '{symbol}'"}
        stock = self.state["stocks"][symbol]
        if self._extension is None:
            return stock
        longer = {"MA(5)": self._extension["MA_5_EXTENSION"], "MA(20)": self._extension["MA_20_EXTENSION"]}
        return {**stock, **longer}

    def get_order_details(self, order_id: int) -> Json:
        """Show an order."""
        orders = self.state["orders"]
        if order_id not in orders:
            return {"error": f"there is no order {order_id}; the orders are {list(orders)}"}
        order = orders[order_id]
        if self._extension is None:
            return order
        told = {
            name: text.replace("{symbol}", str(order["symbol"]))
            for name, text in self._extension["ORDER_DETAIL_EXTENSION"].items()
        }
        return {**order, "metadata": told}

    def cancel_order(self, order_id: int) -> Json:
        """Cancel an order that is not completed."""
        order = self.state["orders"].get(order_id)
        if order is None:
            return {"error": f"there is no order {order_id}"}
        if order["status"] == "Completed":
            return {"error": f"order {order_id} is completed"}
        order["status"] = "Cancelled"
        return {"order_id": order_id, "status": "Cancelled"}

    def place_order(self, order_type: str, symbol: str, price: float, amount: int) -> Json:
        """Place an order; to buy, the balance must suffice."""
        if not self.state["authenticated"]:
            return _not_logged_in("place an order")
        if symbol not in self.state["stocks"]:
            return {"error": f"there is no stock '{symbol}'"}
        if price <= 0 or amount <= 0:
            return {"error": "price and amount must be more than 0"}
        if order_type.lower() == "buy":
            cost, balance = float(price) * int(amount), self.state["account_info"].get("balance", 0)
            if cost > balance:
                return {"error": f"the order costs {cost:.2f} and the balance is {balance:.2f}"}
        number = self.state["order_counter"]
        self.state["orders"][number] = _order(number, order_type, symbol, float(price), amount, "Open")
        self.state["order_counter"] += 1
        placed = {"order_id": number, "order_type": order_type, "status": "Pending"}
        return {**placed, "price": float(price), "amount": amount}

    def withdraw_funds(self, amount: float) -> Json:
        """Take money out while the market is open."""
        account = self.state["account_info"]
        if not self.state["authenticated"]:
            return _not_logged_in("withdraw")
        if self.state["market_status"] != "Open":
            return {"error": "the market is closed"}
        if amount <= 0:
            return {"error": "the amount must be more than 0"}
        if amount > account["balance"]:
            return {"error": "the balance does not suffice"}
        account["balance"] -= amount
        self._record("withdrawal", amount)
        return {"status": "withdrawn", "new_balance": account["balance"]}

    def fund_account(self, amount: float) -> Json:
        """Pay money in."""
        account = self.state["account_info"]
        if not self.state["authenticated"]:
            return _not_logged_in("fund the account")
        if amount <= 0:
            return {"error": "the amount must be more than 0"}
        account["balance"] += amount
        self._record("deposit", amount)
        return {"status": "funded", "new_balance": account["balance"]}

    def _record(self, kind: str, amount: float) -> None:
        """Note a transaction at a time within the next day."""
        at = NOW + timedelta(seconds=self._random.randint(0, 24 * 60 * 60))
        row = {"type": kind, "amount": amount, "timestamp": at.strftime("%Y-%m-%d %H:%M:%S")}
        self.state["transaction_history"].append(row)

    def get_account_info(self) -> Json:
        """Show the account."""
        return self.state["account_info"] if self.state["authenticated"] else _not_logged_in("view the account")

    def trading_login(self, username: str, password: str) -> Json:
        """Log in; any name and password will do."""
        if self.state["authenticated"]:
            return {"status": "logged in already"}
        self.state["authenticated"] = True
        return {"status": "logged in"}

    def trading_get_login_status(self) -> Json:
        """Tell whether the user is logged in."""
        return {"status": bool(self.state["authenticated"])}

    def trading_logout(self) -> Json:
        """Log out."""
        if not self.state["authenticated"]:
            return {"status": "nobody is logged in"}
        self.state["authenticated"] = False
        return {"status": "logged out"}

    def remove_stock_from_watchlist(self, symbol: str) -> Json:
        """Watch a stock no more."""
        if not self.state["authenticated"]:
            return _not_logged_in("change the watch list")
        if symbol not in self.state["watch_list"]:
            return {"error": f"'{symbol}' is not on the watch list"}
        self.state["watch_list"].remove(symbol)
        return {"status": f"'{symbol}' is off the watch list"}

    def get_watchlist(self) -> Json:
        """Show the watch list."""
        if not self.state["authenticated"]:
            return ["Error: log in to view the watch list"]
        if self._extension is not None:
            return [*self.state["watch_list"], *self._extension["WATCH_LIST_EXTENSION"]]
        return {"watchlist": self.state["watch_list"]}

    def get_order_history(self) -> Json:
        """List the ids of all orders."""
        if not self.state["authenticated"]:
            return [_not_logged_in("view the orders")]
        return {"history": list(self.state["orders"])}

    def get_transaction_history(self, start_date: str | None = None, end_date: str | None = None) -> Json:
        """List transactions, from a day and to the beginning of a day if they are named."""
        if not self.state["authenticated"]:
            return [_not_logged_in("view the transactions")]
        first = datetime.strptime(start_date, "%Y-%m-%d") if start_date else datetime.min
        last = datetime.strptime(end_date, "%Y-%m-%d") if end_date else datetime.max
        found: list[Any] = [
            row
            for row in self.state["transaction_history"]
            if first <= datetime.strptime(row["timestamp"], "%Y-%m-%d %H:%M:%S") <= last
        ]
        if self._extension is not None:
            found += self._extension["TRANSACTION_HISTORY_EXTENSION"]
        return {"transaction_history": found}

    def get_available_stocks(self, sector: str) -> Json:
        """List the stocks of a sector."""
        found = list(_SECTORS.get(sector, []))
        if self._extension is not None and sector in _LONGER_SECTORS:
            found += self._extension[_LONGER_SECTORS[sector]]
        return {"stock_list": found}

    def filter_stocks_by_price(self, stocks: list[str], min_price: float, max_price: float) -> Json:
        """Keep the stocks whose price lies in a range; an unknown one costs nothing."""
        prices = [(symbol, self.state["stocks"].get(symbol, {}).get("price", 0)) for symbol in stocks]
        return {"filtered_stocks": [symbol for symbol, price in prices if min_price <= price <= max_price]}

    def add_to_watchlist(self, stock: str) -> Json:
        """Watch a stock that exists."""
        if stock not in self.state["watch_list"] and stock in self.state["stocks"]:
            self.state["watch_list"].append(stock)
        return {"watchlist": self.state["watch_list"]}

    def notify_price_change(self, stocks: list[str], threshold: float) -> Json:
        """Name the stocks whose price has changed by a percentage or more."""
        known = self.state["stocks"]
        changed = [symbol for symbol in stocks if symbol in known and abs(known[symbol]["percent_change"]) >= threshold]
        return {"notification": f"changed: {', '.join(changed)}" if changed else "no change to speak of"}


def _whole(number: Any) -> Any:
    return int(number) if isinstance(number, str) and number.isdigit() else number


def _not_logged_in(what: str) -> Json:
    return {"error": f"log in to {what}"}
