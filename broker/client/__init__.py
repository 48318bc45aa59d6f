"""What a party installs beside its own system: seal, sign, send, receive, open, verify. Needs neither the server's packages nor Polars.

from broker.client import Client
client = Client.at(Path("sinergi-home"))
answer = client.send(Path("pencari_kerja.xlsx"), agreement="nk-sijunjung-2025", dataset="pencari_kerja", purpose="perencanaan", recipient="siapkerja@kemnaker")
for received in client.receive():
client.open(received.exchange, Path("terbuka.csv"))
"""

from broker.client.client import Answer, Client, Received, create_home
from broker.client.verify import Verified, verify_exchange

__all__ = ["Answer", "Client", "Received", "Verified", "create_home", "verify_exchange"]
