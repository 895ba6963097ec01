"""`python -m sentiscope.reference`: the pages of docs/reference, out of the code."""

from sentiscope.output import say
from sentiscope.reference.pages import write

for _page in write():
    say(str(_page))
