"""What the forms of a page hold, as a browser would send it."""

from html.parser import HTMLParser


class EnteredForm(HTMLParser):
    """The fields of the form that goes to *action*."""

    def __init__(self, text: str, action: str) -> None:
        super().__init__()
        self.action = action
        self.fields: dict[str, str] = {}
        self.options: dict[str, list[str]] = {}
        self._inside = False
        self._area = self._select = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value")
        if tag == "form":
            self._inside = given.get("action") == self.action
        if not self._inside:
            return
        if tag == "input" and (given.get("type") not in {"radio", "checkbox"} or "checked" in given):
            self.fields[name] = value or ""
        elif tag == "textarea":
            self._area, self.fields[name] = name, ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            self.options.setdefault(self._select, []).append(value or "")
            if "selected" in given or self._select not in self.fields:
                self.fields[self._select] = value or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._area:
            self.fields[self._area] = self.fields[self._area].removeprefix("\n")
            self._area = ""
        elif tag == "select":
            self._select = ""
        elif tag == "form":
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._area:
            self.fields[self._area] += data
