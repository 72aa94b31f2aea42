"""How far to trust a judge: labelled sites, the suite that runs judges over them, and the agreement that comes out."""
