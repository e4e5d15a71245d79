"""How every page looks, and to whom: nobody is hindered, in no state of a page, and on no medium."""
