"""What the tracker does with an announce or a scrape. It knows no protocol: values in, values out."""
