"""The interview as a page on this machine: one conversation, served on the loopback interface.

`conversation` keeps the interview and takes one answer at a time, `content` says what the page
shows of it, `day` plans its day, `gate` decides which requests are ours, `server` answers them.
The page itself is page.html, page.css and page.js; nothing comes from elsewhere.
"""
