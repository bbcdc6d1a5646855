"""What the rules of templates.yml find in Python, and what they leave alone."""

import jinja2
from flask import render_template, render_template_string
from markupsafe import Markup, escape


def draw(name, environment):
    # ruleid: template-from-text
    render_template_string("Hello " + name)
    # ruleid: template-from-text
    environment.from_string(name).render()
    # ruleid: template-from-text
    jinja2.Template(name)
    # ok: template-from-text
    return render_template("shop/today.html", name=name)


def mark(name):
    # ruleid: markup-of-values
    Markup(f"<b>{name}</b>")
    # ruleid: markup-of-values
    Markup("<b>" + name)
    # ruleid: markup-of-values
    Markup(name)
    # ok: markup-of-values
    Markup("<br>")
    # ok: markup-of-values
    return Markup("<b>{}</b>").format(escape(name))
