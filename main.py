"""Start Smokejumper: settings -> app -> uvicorn; --help lists commands."""

from app.cli.commands import app

if __name__ == "__main__":
    app()
