"""What bench/pipeline.py and bench/storm.py stand on."""
