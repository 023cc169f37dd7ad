"""Run the detector over a log of announces: whom would it have flagged?"""
