"""`bakeoff serve`: a study live while it trains; afterwards its report and a page to try it."""
