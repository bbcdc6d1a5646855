"""Where mail and SMS of a machine of its own arrive: by the same wire as they would leave it.

Knows: an SMTP server and an SMS provider's HTTP on the loopback address, the newest messages, the
page that shows them.
Hides: aiosmtpd, ports, the files the messages lie in.
Does not know: who has sent them and why, people, any domain.

There are none as soon as anything is sent to a real provider, or into an external database.
"""

from giftpad.local.sinks.part import SinkProgram, Sinks, open_sinks, wants_sinks

__all__ = ["SinkProgram", "Sinks", "open_sinks", "wants_sinks"]
