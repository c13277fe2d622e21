"""What a website on Flask needs beside its views: assets, content, pages for errors."""
