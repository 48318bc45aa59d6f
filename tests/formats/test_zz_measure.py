# exhaustive: every byte of proof.json, one random flip; leaves every byte
from tests.formats.conftest import *
from tests.formats.test_properties import verify, flipped
from broker.errors import NotVerified
import collections, random, json
def test_m(kept):
    rng=random.Random(1)
    base=verify(kept)
    out=collections.Counter(); same=[]
    d=kept.files["proof.json"]
    where=[]
    for at in range(len(d)):
      for m in ({1, rng.randrange(1,256)}):
        try:
            v=verify(kept, proof_json=flipped(d,at,m)); out["accepted"]+=1
            same.append(at); 
        except NotVerified: out["NotVerified"]+=1
        except Exception as e: out[type(e).__name__]+=1; where.append((at,m,d[max(0,at-20):at+20]))
    print(len(d), out, where[:5])
    # which regions accepted
    txt=d.decode(); 
    spans=collections.Counter()
    idx={k:txt.index('"%s":'%k) for k in json.loads(d)}
    order=sorted(idx.items(), key=lambda x:x[1])
    for at in same:
        spans[[k for k,i in order if i<=at][-1] if at>=order[0][1] else "head"]+=1
    print(spans)
    l=kept.files["leaves.bin"]; c=collections.Counter()
    for at in range(len(l)):
        try: verify(kept, leaves_bin=flipped(l,at,1<<rng.randrange(8))); c["accepted"]+=1
        except NotVerified: c["NotVerified"]+=1
        except Exception as e: c[type(e).__name__]+=1
    print(len(l), c)
