"""Add README, guides, notebooks, changelog and licence to the site, under their own paths."""

import re
from pathlib import Path

import nbconvert
from mkdocs.structure.files import File

ROOT = Path(__file__).parents[2]
NOTEBOOKS = {path.stem: path for path in (ROOT / "tutorials").glob("*.ipynb")}
TEXTS = ("README.md", "CHANGELOG.md", "LICENSE", "tutorials/*.md", "tutorials/*.ipynb")


def on_files(files, config):
    """Return the files of the site with those of the project.

    Args:
        files: The files of the folder `site`, an `mkdocs.structure.files.Files`.
        config: The configuration of the site.
    """
    for pattern in TEXTS:
        for path in sorted(ROOT.glob(pattern)):
            uri = path.relative_to(ROOT).as_posix()
            files.append(File.generated(config, uri, abs_src_path=str(path)))
    for stem, path in NOTEBOOKS.items():
        resources = {"unique_key": stem, "output_files_dir": f"{stem}_files"}
        text, resources = nbconvert.MarkdownExporter().from_filename(path, resources)
        files.append(File.generated(config, f"tutorials/{stem}.md", content=text))
        for name, image in resources["outputs"].items():
            files.append(File.generated(config, f"tutorials/{name}", content=image))
    return files


def on_page_markdown(markdown, page, **_):
    """Return the text of a page, with links to the pages of notebooks.

    Args:
        markdown: The text as it stands in its file.
        page: The page, an `mkdocs.structure.pages.Page`.
    """
    stem = Path(page.file.src_uri).stem
    markdown = re.sub(r"\]\(([\w/.]+)\.ipynb\)", r"](\1.md)", markdown)
    if stem in NOTEBOOKS:
        markdown += f"\n\n[Download this notebook]({stem}.ipynb)\n"
    return markdown
